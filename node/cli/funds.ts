/** Whose money a load generator spends: a wallet's, or that of the faucet of a network that `ravel up` made. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { createSeedSigner, type Signer } from '../../wallet/index.ts';
import type { CommandHost } from './command-io.ts';
import { badInput } from './failure.ts';
import { addNetworkOptions, type NetworkFlags } from './network-options.ts';
import { wholeNumber } from './values.ts';
import { addPasswordOption, connect, type OpenWallet, unlock, type WalletFlags } from './wallet-options.ts';

export interface FundsFlags extends NetworkFlags, Omit<WalletFlags, 'wallet'> {
  readonly wallet?: string;
}

/** The network, and who pays. */
export function addFundsOptions(command: Command): Command {
  command
    .option('--wallet <file>', 'wallet that pays for it (default: the faucet of --dir)')
    .option('--account <n>', 'account of the wallet', wholeNumber(0, 2 ** 31 - 1), 0);
  return addNetworkOptions(addPasswordOption(command));
}

/** The wallet that pays: the one that was named, else the faucet of a network that `ravel up` made. It ends with the stack. */
export async function openFunds(
  flags: FundsFlags,
  host: CommandHost,
  stack: AsyncDisposableStack,
): Promise<OpenWallet> {
  const { wallet, ...rest } = flags;
  if (wallet !== undefined)
    return stack.use(
      await connect({ ...rest, wallet }, host, { signer: await unlock({ ...rest, wallet }, host) }),
    );
  const signer = await signerOfFaucet(flags.dir);
  // It has no files: what its account has paid, the nodes tell.
  const folder = await mkdtemp(path.join(tmpdir(), 'ravel-funds-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return stack.use(
    await connect({ ...rest, wallet: path.join(folder, 'funds'), account: 0 }, host, { signer }),
  );
}

async function signerOfFaucet(dir: string | undefined): Promise<Signer> {
  const { keyOfFaucet } = await import('../up/network-folder.ts');
  const key = dir === undefined ? undefined : await keyOfFaucet(dir);
  if (key !== undefined) return createSeedSigner(key);
  throw badInput(
    'It is not said whose money this takes. Name a wallet with --wallet, or with --dir a network that `ravel up` has made.',
  );
}
