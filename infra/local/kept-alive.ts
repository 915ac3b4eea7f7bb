/**
 * How long a stand-in keeps a connection that nobody uses, in milliseconds. By Node's own five seconds a server closes it just as a client that is behind on a busy machine sends the next request, and whoever sent
 * it finds the connection reset. Each of them closes all connections as it stops.
 */
export const keptAliveMs = 65_000;
