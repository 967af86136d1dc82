/** Streams of messages between two clients: the session protocol of car and charger runs over them. */
import type { Stream } from '@libp2p/interface';
import { decodeMessage } from './codec.ts';
import { PeersError } from './errors.ts';
import { FrameChannel } from './frames.ts';
import type { Host } from './libp2p-host.ts';
import { endChannel } from './serve.ts';
import type { FramedStream } from './types.ts';

export function framedStream(host: Host, stream: Stream, remote: string): FramedStream {
  const channel = new FrameChannel(stream, host.limits);
  let reading = false;
  return {
    remote,
    send: (message) => channel.writeMessage(message),
    receive() {
      if (reading) throw new PeersError('bad_message', 'this stream has a reader; share its messages');
      reading = true;
      return messages(host, channel, remote);
    },
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  };
}

async function* messages(host: Host, channel: FrameChannel, remote: string): AsyncGenerator<unknown, void> {
  for (;;) {
    const frame = await channel.next();
    switch (frame.type) {
      case 'message': {
        const message = decodeMessage(frame.bytes);
        if (message === undefined) throw refuse(host, channel, remote, 'a frame that holds no message');
        yield message;
        break;
      }
      case 'vertex':
        throw refuse(host, channel, remote, 'a vertex in a session');
      case 'ended':
        return;
      default:
        endChannel(host, channel, remote, frame);
        throw new PeersError(
          frame.type === 'refused' ? 'bad_reply' : 'closed',
          `the stream to ${remote} broke (${frame.type}); open another one`,
        );
    }
  }
}

function refuse(host: Host, channel: FrameChannel, remote: string, what: string): PeersError {
  endChannel(host, channel, remote, { type: 'refused', refusal: { code: 'malformed', what } });
  return new PeersError('bad_reply', `${remote} sent ${what}; talk to somebody else`);
}
