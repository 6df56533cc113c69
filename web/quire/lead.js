// How tabs find the one that leads them, in whose worker the engine runs. All speak on a channel of the engine's name: a tab asks
// {who}, the leader's worker says {leads: term}, which is new with every leader, and the tab {join, term}. A channel of the two is then
// what a port of a SharedWorker would be.

/** Gives the channel between a tab and the leader of a term. */
export const between = (name, term, tab) => new BroadcastChannel(`${name} ${term} ${tab}`);

/** Lets the tabs of a name find a hub, in the leader's worker. */
export function lead({name, term}, hub) {
  const channel = new BroadcastChannel(name);
  const joined = new Set();
  channel.onmessage = ({data}) => {
    if (data.who) channel.postMessage({leads: term});
    if (data.term !== term || joined.has(data.join)) return;
    joined.add(data.join);
    hub.join(between(name, term, data.join));
  };
  channel.postMessage({leads: term});
}
