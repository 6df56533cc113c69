// Finds and describes the browser's adapters.

import {FIREFOX, FIREFOX_ADVICE, LARGEST_BUFFER} from './browser.js';

// engine/gpu's Feature bits, in order
export const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

// featureBits gives the bits of the features that an adapter or device has.
export function featureBits(owner) {
  let bits = 0;
  FEATURES.forEach((f, i) => { if (owner.features.has(f)) bits |= 1 << i; });
  return bits;
}

// WebGPU does not say what kind of adapter it is; who makes only one kind tells.
const CARDS = {nvidia: 'discrete', amd: 'discrete', intel: 'integrated', apple: 'integrated', arm: 'integrated', qualcomm: 'integrated'};

function describe(adapter) {
  const info = adapter.info ?? {};
  const name = info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'WebGPU adapter';
  const software = info.isFallbackAdapter || adapter.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
  return {
    name,
    vendor: info.vendor ?? '',
    architecture: info.architecture ?? '',
    device: info.device ?? '',
    type: software ? 'cpu' : CARDS[(info.vendor ?? '').toLowerCase()] ?? 'unknown',
    features: featureBits(adapter),
    limits: limitsOf(adapter),
    subgroupMin: info.subgroupMinSize ?? 0,
    subgroupMax: info.subgroupMaxSize ?? 0,
    matrices: matricesOf(info),
  };
}

// matricesOf lists the products of subgroup matrices; a browser without them, or that hides them, has none.
function matricesOf(info) {
  return Array.from(info.subgroupMatrixConfigs ?? [],
    (c) => ({factor: c.componentType, sum: c.resultComponentType, m: c.M, n: c.N, k: c.K}));
}

const SIZES = ['maxBufferSize', 'maxStorageBufferBindingSize'];

// limitsOf gives all limits of an adapter or device by name, as far as they are used here.
export function limitsOf(adapter) {
  const limits = {};
  for (const name in adapter.limits) {
    if (typeof adapter.limits[name] === 'number') limits[name] = Math.min(adapter.limits[name], SIZES.includes(name) ? LARGEST_BUFFER : Infinity);
  }
  return limits;
}

// What every adapter has, but for those of compatibility mode.
const CORE = {maxStorageBuffersPerShaderStage: 8, maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 16384};

// isLesser tells an adapter of compatibility mode; browsers from before there was one name neither the mode nor what it lacks.
const isLesser = (adapter) => adapter.featureLevel === 'compatibility' ||
  (!adapter.features.has('core-features-and-limits') && Object.entries(CORE).some(([name, least]) => adapter.limits[name] < least));

const same = (a, b) => a.name === b.name && a.vendor === b.vendor && a.architecture === b.architecture && a.device === b.device;

// adapters lists the distinct adapters, the best first, as [adapter, description]; no more than most, for each that is asked for may take
// the browser long.
export async function adapters(first, most = Infinity) {
  if (!globalThis.navigator?.gpu) {
    if (globalThis.isSecureContext === false) throw new Error('WebGPU needs a secure page: open it over https or from localhost');
    throw new Error(FIREFOX
      ? `this Firefox has no WebGPU turned on: ${FIREFOX_ADVICE}`
      : 'this browser has no WebGPU: use a current Chrome, Edge, Safari or Firefox, with hardware acceleration on');
  }
  const powers = ['high-performance', 'low-power'];
  if (first === 'low-power') powers.reverse();
  const list = [];
  let lesser = null; // what there is in compatibility mode
  const add = async (wish) => {
    const adapter = await navigator.gpu.requestAdapter(wish);
    if (!adapter) return;
    const description = describe(adapter);
    if (isLesser(adapter)) lesser ??= description.name;
    else if (!list.some(([, d]) => same(d, description))) list.push([adapter, description]);
  };
  for (const powerPreference of powers) if (list.length < most) await add({powerPreference});
  if (list.length === 0 && lesser === null) await add({featureLevel: 'compatibility'});
  if (list.length === 0 && lesser !== null) {
    throw new Error(`the browser offers ${lesser} in WebGPU's compatibility mode only, where a kernel has too few buffers and invocations for a model: update the browser and the graphics driver, or use a device whose GPU runs Vulkan, Metal or Direct3D 12`);
  }
  list.forEach(([, d], i) => { d.index = i; });
  return list;
}

// choose picks from the list by index or by part of a name; an empty choice takes the first.
export function choose(list, choice) {
  if (list.length === 0) {
    throw new Error(FIREFOX
      ? `Firefox offers no GPU: turn hardware acceleration on, update the driver, ${FIREFOX_ADVICE}`
      : 'the browser offers no GPU: turn hardware acceleration on, update the driver, and see chrome://gpu');
  }
  if (choice === '') return list[0];
  const wanted = choice.toLowerCase();
  const found = list.find(([, d]) => String(d.index) === wanted) ??
    list.find(([, d]) => `${d.name} ${d.vendor} ${d.architecture} ${d.device}`.toLowerCase().includes(wanted));
  if (!found) {
    throw new Error(`no adapter is called ${JSON.stringify(choice)}; there are: ${list.map(([, d]) => `${d.index}: ${d.name}`).join(', ')}`);
  }
  return found;
}
