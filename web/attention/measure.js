// Runs the measurement in a worker of its own.

import {QuireError} from '../quire.js';

// measure resolves with {report, charts}; progress hears {stage, done, total}, with the report and charts so far whenever
// there is a new result. Aborting the signal ends the worker.
export function measure(adapter, plan, progress, signal) {
  const worker = new Worker(new URL('../worker.js', import.meta.url), {type: 'module', name: 'quire'});
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, {once: true});
    worker.onmessage = ({data: {kind, value}}) => {
      if (kind === 'progress') progress(value);
      else if (kind === 'done') resolve(value);
      else if (kind === 'failed' || kind === 'crashed') reject(new QuireError(value));
    };
    worker.onerror = (e) => {
      e.preventDefault?.();
      reject(new QuireError({name: 'ErrCrashed', message: e.message || 'the worker did not start'}));
    };
    worker.postMessage({method: 'attention', id: 1, argument: JSON.stringify({adapter, plan}), blob: null});
  }).finally(() => worker.terminate());
}
