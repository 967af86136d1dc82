/** How the report looks, on light and on dark. */
export const STYLE = `
:root { --ground: #fff; --panel: #f6f8fa; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --link: #0b63b3;
  --good: #1a7f37; --bad: #c21f2c; --warn: #fff4d1; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1318; --panel: #171c23; --text: #e6edf3; --quiet: #9aa5b1; --line: #303842; --link: #62b0f5;
    --good: #4cc26b; --bad: #ff7b72; --warn: #3a3011; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 76rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .75rem; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 0 1rem; }
dt { color: var(--quiet); font-size: .8rem; }
dd { margin: 0; }
section, nav { margin-top: 2.5rem; }
nav ul { list-style: none; padding: 0; margin: 0; }
nav li { display: grid; grid-template-columns: 9rem 1fr; gap: .75rem; padding: .15rem 0; }
nav span, .question, .where { color: var(--quiet); }
.question { font-size: 1.05rem; margin: 0 0 .75rem; }
.where { font-size: .8rem; }
p { max-width: 60rem; }
.warning { margin: .35rem 0; padding: .4rem .75rem; background: var(--warn); border-radius: 6px; max-width: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 48rem; font-size: .9rem; margin: .5rem 0 1rem; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .8rem; }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { min-width: 9rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; padding-right: 1.25rem; }
.spread { white-space: nowrap; }
small { color: var(--quiet); }
code { font: .78rem/1.4 ui-monospace, monospace; color: var(--quiet); overflow-wrap: anywhere; }
.reached { color: var(--good); white-space: nowrap; font-weight: 600; }
.missed { color: var(--bad); white-space: nowrap; font-weight: 600; }
.unjudged { color: var(--quiet); white-space: nowrap; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1.25rem; }
figure { margin: 0; padding: 1rem; background: var(--panel); border-radius: 8px; }
figcaption { font-weight: 600; margin-bottom: .5rem; }
figure svg { width: 100%; height: auto; display: block; }
@media print { body { max-width: none; } section { break-inside: avoid; } }
`;
