/** What can go wrong while `ravel up` runs a network on this machine. Messages say cause and cure. */

export type UpErrorCode =
  /** A port that was asked for is taken by another program. */
  | 'port_busy'
  /** The folder holds something else than a network made by `ravel up`, or a smaller one than was asked for. */
  | 'folder_unsuitable'
  /** The file of sessions cannot be read. */
  | 'sessions_unreadable'
  /** A validator, or the process of the cars or of the stations, ended or did not get ready. */
  | 'child_ended'
  | 'child_silent';

export class UpError extends Error {
  readonly code: UpErrorCode;

  constructor(code: UpErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UpError';
    this.code = code;
  }
}
