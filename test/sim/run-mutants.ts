/**
 * `npm run sim:mutants -- [--seeds N] [--from S] [--jobs J] [--only WORD]`: breaks each rule in turn and plays seeds until the
 * referee has seen it. Exits with 1 when a mutant survives, as then the simulator could not see that rule broken.
 */
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.ts';
import { Player } from './players.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});

const from = Number(values.from);
const waiting = MUTANTS.filter(({ name }) => name.includes(values.only));
let survivors = 0;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function hunt({ name, section, mutations }: Mutant): Promise<void> {
  const player = new Player(mutations);
  try {
    for (let seed = from; seed < from + Number(values.seeds); seed++) {
      const { played, trouble } = await player.play(seed);
      if (trouble?.includes(' times: ')) {
        survivors++;
        say(`| ${name} | ${section} | never | does not apply: ${trouble.split('\n')[0]} |`);
        return;
      }
      const ended = trouble?.startsWith('no end') ? 'a run that does not end' : 'an assertion';
      const what = trouble === undefined ? played?.broken?.invariant : ended;
      if (what === undefined) continue;
      const message = (trouble ?? played!.broken!.message).split('\n')[0]!.slice(0, 110);
      say(`| ${name} | ${section} | ${seed - from + 1} | ${what} | ${message}`);
      return;
    }
    survivors++;
    say(`| ${name} | ${section} | never | survives |`);
  } finally {
    await player.end();
  }
}

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) await hunt(mutant);
}

say('| mutant | section | caught at seed | by |');
say('|---|---|---|---|');
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
if (survivors > 0) process.exitCode = 1;
