/** `ravel wallet verify-balance`: offline, by anybody who has the genesis. */
import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  BALANCE_PROOF_BYTES_MAX,
  type BalanceProof,
  checkBalanceProof,
  decodeBalanceProof,
  type Genesis,
  isRefusal,
  type ProofProblem,
} from '../../ledger/index.ts';
import { formatAddress } from '../../wallet/index.ts';
import { addCommonOptions, addExamples, type CommandHost } from './command-io.ts';
import { EXIT } from './exit-codes.ts';
import { badInput } from './failure.ts';
import { addGenesisOptions, type NetworkFlags, needGenesis } from './network-options.ts';
import { createOutput } from './output.ts';

const EXAMPLES = [
  'ravel wallet verify-balance balance.proof --genesis genesis.json',
  'ravel wallet verify-balance balance.proof --dir my-network --json',
];

const NOTES = [
  'It needs no node and no wallet. The file holds a balance proof as nodes send it.',
  'Exit code 0: the account had this balance after the round that is named, and',
  'validators of a quorum said so at the time that is named, or later; 1: it is not proven.',
];

/** What a proof that holds says. */
interface Proven {
  /** As people see it. */
  readonly address: string;
  /** False: the address had no account, and so nothing. */
  readonly account: boolean;
  readonly balance: number;
  readonly sequence: number;
  /** Id of the last payment; null before the first. */
  readonly head: string | null;
  /** The committed round that the state is of. */
  readonly round: number;
  /** By the validators' clocks; ISO 8601. */
  readonly time: string;
}

export function defineWalletVerifyBalance(command: Command, host: CommandHost): void {
  command
    .description('Checks a proof of what one account has: its path to the state root, and the signatures.')
    .argument('<file>', 'the proof');
  addExamples(addCommonOptions(addGenesisOptions(command)), EXAMPLES, NOTES);
  command.action(async (file: string, flags: NetworkFlags & { readonly json?: true }) => {
    const output = createOutput(host, flags.json === true);
    const genesis = await needGenesis(flags);
    if ((await stat(file)).size > BALANCE_PROOF_BYTES_MAX)
      throw badInput(`${file} is too large for a balance proof. Check the path.`);
    const result = verify(genesis, new Uint8Array(await readFile(file)));
    if ('problem' in result) {
      output.line('THE PROOF IS FALSE:');
      output.line(`  ${JSON.stringify(result.problem)}`);
      output.json({ ok: false, problem: result.problem });
      host.exit = EXIT.failed;
      return;
    }
    for (const line of describe(result)) output.line(line);
    output.json({ ok: true, ...result });
  });
}

function verify(genesis: Genesis, bytes: Uint8Array): Proven | { readonly problem: ProofProblem } {
  const proof = decodeBalanceProof(bytes);
  if (isRefusal(proof)) return { problem: proof };
  const result = checkBalanceProof(genesis, proof);
  if ('code' in result) return { problem: result };
  const { balance, sequence }: BalanceProof = proof;
  return {
    address: formatAddress(genesis.prefix, proof.address),
    account: proof.occupant === undefined,
    balance,
    sequence,
    head: proof.head === proof.address ? null : proof.head,
    round: result.checkpoint.round,
    time: new Date(result.timeMs).toISOString(),
  };
}

function describe({ address, account, balance, sequence, head, round, time }: Proven): string[] {
  return [
    `The proof is true, for ${address}:`,
    `  balance   ${balance} units${account ? '' : ', as there was no such account'}`,
    `  payments  ${sequence}${head === null ? '' : `, the last one ${head}`}`,
    `  state     after round ${round}`,
    `  time      ${time} or later, say validators of a quorum`,
  ];
}
