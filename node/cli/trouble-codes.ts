/** What each code of the rooms' errors means for the exit code of a command. Complete by type. */
import type { PeersErrorCode } from '../../p2p/index.ts';
import type { SessionError, WalletErrorCode } from '../../wallet/index.ts';
import type { ConfigError } from '../config.ts';
import type { FolderLockError } from '../folder-lock.ts';
import type { NetworkFilesError } from '../network-files.ts';
import type { PoolError } from '../pool.ts';
import type { NodeError } from '../run-node.ts';
import type { StoreErrorCode } from '../store-error.ts';
import type { UpErrorCode } from '../up/up-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

type TroubleCode =
  | PeersErrorCode
  | WalletErrorCode
  | StoreErrorCode
  | UpErrorCode
  | SessionError['code']
  | ConfigError['code']
  | FolderLockError['code']
  | NetworkFilesError['code']
  | NodeError['code']
  | PoolError['code'];

const { failed, usage, unreachable, locked, taken, interrupted } = EXIT;

export const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  // The network
  bad_address: usage,
  listen_failed: taken,
  unreachable,
  wrong_network: usage,
  unsupported_protocol: unreachable,
  peer_refused: unreachable,
  timeout: unreachable,
  closed: unreachable,
  too_busy: failed,
  message_too_large: usage,
  bad_message: failed,
  bad_reply: failed,
  refused: failed,
  no_node: unreachable,
  not_ready: unreachable,
  still_sending: unreachable,
  // Wallets
  bad_phrase: usage,
  bad_account: usage,
  address_format: usage,
  address_prefix: usage,
  address_checksum: usage,
  address_length: usage,
  keystore_format: usage,
  keystore_version: usage,
  keystore_cost: locked,
  keystore_password: locked,
  keystore_tampered: locked,
  wallet_busy: taken,
  wallet_missing: usage,
  wallet_exists: usage,
  wallet_permissions: locked,
  wallet_corrupted: locked,
  wallet_other: usage,
  wallet_disk: failed,
  bad_payment: usage,
  insufficient_funds: failed,
  forbidden_by_policy: failed,
  pipeline_full: failed,
  work_failed: failed,
  signer_failed: failed,
  payment_dead: failed,
  payment_forgotten: failed,
  aborted: interrupted,
  disposed: interrupted,
  // Sessions
  bad_offer: usage,
  bad_policy: usage,
  bad_options: usage,
  // Nodes and their folders
  config_invalid: usage,
  config_unreadable: usage,
  folder_locked: taken,
  network_exists: usage,
  genesis_invalid: usage,
  genesis_unreadable: usage,
  key_invalid: usage,
  not_in_committee: usage,
  store_locked: taken,
  store_other_network: usage,
  store_format: usage,
  store_corrupted: failed,
  store_disk_full: failed,
  store_failed: failed,
  store_busy: failed,
  store_closed: failed,
  pool_closed: failed,
  pool_failed: failed,
  // ravel up
  port_busy: taken,
  folder_unsuitable: usage,
  sessions_unreadable: usage,
  child_ended: failed,
  child_silent: failed,
} satisfies Record<TroubleCode, ExitCode>;
