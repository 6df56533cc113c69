// Runs the measurement in a worker of its own.

import {QuireError} from '../quire.js';
import {EngineWorker, programs} from '../start.js';

// measure resolves with {report, charts}; progress hears {stage, done, total}, with the report and charts so far whenever
// there is a new result. Aborting the signal ends the worker.
export function measure(adapter, plan, progress, signal) {
  let worker;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, {once: true});
    worker = EngineWorker.take(programs.bench, ({kind, value}) => {
      if (kind === 'progress') progress(value);
      else if (kind === 'done') resolve(value);
      else if (kind === 'failed' || kind === 'crashed') reject(new QuireError(value));
    }, reject);
    worker.post({method: 'attention', id: 1, argument: JSON.stringify({adapter, plan}), blob: null});
  }).finally(() => worker?.terminate());
}
