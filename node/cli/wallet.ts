/** `ravel wallet`: the commands around one wallet, each in a file of its own. */
import type { Command } from 'commander';
import type { CommandHost } from './command-io.ts';
import { defineWalletAddress } from './wallet-address.ts';
import { defineWalletBalance } from './wallet-balance.ts';
import { defineWalletHistory } from './wallet-history.ts';
import { defineWalletNew } from './wallet-new.ts';
import { defineWalletPay } from './wallet-pay.ts';
import { defineWalletRestore } from './wallet-restore.ts';
import { defineWalletVerifyBalance } from './wallet-verify-balance.ts';
import { defineWalletVerifyReceipt } from './wallet-verify-receipt.ts';

export function defineWallet(command: Command, host: CommandHost): void {
  command.description(
    'Keys, payments and receipts. A wallet trusts no node: what is final it checks itself.',
  );
  defineWalletNew(command.command('new').summary('make a wallet'), host);
  defineWalletRestore(command.command('restore').summary('make a wallet from its recovery phrase'), host);
  defineWalletAddress(command.command('address').summary('show where to pay to'), host);
  defineWalletBalance(command.command('balance').summary('show what can be spent'), host);
  defineWalletPay(command.command('pay').summary('pay, and wait until it is final'), host);
  defineWalletHistory(
    command.command('history').summary('show verified payments from and to the wallet'),
    host,
  );
  defineWalletVerifyBalance(
    command.command('verify-balance').summary('check a proof of what an account has'),
    host,
  );
  defineWalletVerifyReceipt(
    command.command('verify-receipt').summary('check a receipt of a charging session'),
    host,
  );
}
