// What to do about errors where no model is loaded.

import {adviceFor} from '../page/advice.js';

const ADVICE = {
  ErrDeviceLost: 'Another program may need its memory, or the driver restarted: some end what takes seconds. Run it again, with shorter lengths.',
  ErrOutOfMemory: 'Choose shorter lengths, fewer heads or fewer sequences.',
  ErrCrashed: 'Run it again. If it happens every time, the tab may be short of memory: choose shorter lengths.',
  ShaderError: 'Update the browser and the graphics driver, or choose another variant or adapter.',
};

// advised gives an error's title, message and what to do on this page.
export function advised(error) {
  const problem = adviceFor(error);
  return {...problem, advice: ADVICE[error.name] ?? problem.advice};
}
