/** What happened on the wire, by name. Only grows; a monitor takes differences. */

const NAMES = [
  // Connections
  'connections_opened',
  'connections_closed',
  'connections_denied',
  'connections_unidentified',
  'dials_failed',
  'foreign_networks',
  'peers_penalised',
  'peers_cut',
  // Gossip
  'gossip_received',
  'gossip_accepted',
  'gossip_ignored',
  'gossip_refused',
  'gossip_verdicts_late',
  'gossip_throttled',
  'gossip_published',
  'gossip_publish_failed',
  'gossip_unsent_dropped',
  'gossip_streams_renewed',
  'headers_received',
  'headers_sent',
  // fetch and since
  'fetch_asked',
  'fetch_hedged',
  'fetch_dropped',
  'fetch_vertices_received',
  'fetch_served',
  'fetch_vertices_sent',
  'since_asked',
  'since_served',
  'since_vertices_sent',
  'snapshot_served',
  'requests_failed',
  // The light protocol
  'light_links_opened',
  'light_requests',
  'light_pushes',
  'light_links_ended_slow',
  'session_streams_opened',
  'session_streams_refused',
  // For all
  'budget_spent',
  'frames_malformed',
  'frames_stalled',
  'handlers_failed',
] as const;

export type CounterName = (typeof NAMES)[number];

export class Counters {
  readonly values: Record<CounterName, number>;

  constructor() {
    this.values = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<CounterName, number>;
  }

  add(name: CounterName, count = 1): void {
    this.values[name] += count;
  }
}
