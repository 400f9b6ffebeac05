/**
 * Loaded into the service, and its threads, before it starts: collects garbage every few seconds. By itself the engine lets
 * tens of megabytes of it lie for minutes, in which a leak could hide, and which could be taken for one.
 */
setInterval(() => globalThis.gc(), 5000).unref()
