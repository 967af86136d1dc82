/** Argon2id by Node's own OpenSSL, off the main thread. The one file of this room that knows Node; it stands behind `#kdf`. */
import { argon2 } from 'node:crypto';
import type { Kdf } from './kdf.ts';

export const argon2id: Kdf = (password, salt, cost, length) => {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parameters = {
    message: password,
    nonce: salt,
    memory: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.lanes,
    tagLength: length,
  };
  argon2('argon2id', parameters, (error, key) => {
    if (error === null) resolve(new Uint8Array(key));
    else reject(error);
  });
  return promise;
};
