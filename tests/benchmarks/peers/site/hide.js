// Keeps the features that HIDE names, which the server puts in front, from whoever runs here.
const offered = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'features').get;
Object.defineProperty(GPUAdapter.prototype, 'features', {get() {
  return new Set([...offered.call(this)].filter((feature) => !HIDE.includes(feature)));
}});
