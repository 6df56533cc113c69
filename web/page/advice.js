// Says in clear words what went wrong and what to do.

import {FIREFOX, FIREFOX_ADVICE} from '../gpu/browser.js';

const BROWSERS = 'Chrome and Edge have had it since version 113, Safari since 26, Firefox since 141 on Windows and 145 on Macs.';
const LINUX = 'On Linux, Chrome may want chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan turned on.';
const IN_FIREFOX = `In Firefox, ${FIREFOX_ADVICE}.`;

const WORDS = {
  ErrNoAdapter: ['No GPU could be used', FIREFOX
    ? `Update the graphics driver. ${IN_FIREFOX}`
    : `Turn on hardware acceleration in the browser's settings and update the graphics driver; chrome://gpu tells what is off and why. ${LINUX}`],
  ErrDeviceLost: ['The GPU was taken away', 'Another program may need its memory, or the driver restarted. Close what you do not need and load the model again.'],
  ErrOutOfMemory: ['There is too little GPU memory', 'Under “Memory and adapter” are the context, the KV memory and the KV cache type, of which 8-bit integers (q8) take least; or choose a smaller model, or the same one quantized further.'],
  ErrUnsupportedModel: ['This model does not run here', 'Models of the llama, qwen2, qwen3, gemma3, gemma4, smollm3, granite, qwen3moe, lfm2, qwen35, qwen2moe, qwen3next, granitehybrid, mistral3, gemma2, olmo2, starcoder2, gpt2, falcon, stablelm, phi3, gemma-embedding, bert, gpt-oss, lfm2moe and nomic-bert architectures run, with weights in F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1, Q4_0, Q3_K, Q2_K, IQ4_NL, IQ4_XS, MXFP4, NVFP4, IQ3_S, IQ3_XXS, IQ2_S, IQ2_XS, IQ2_XXS, IQ1_S, IQ1_M, TQ1_0 or TQ2_0; so Q4_K_M files run.'],
  ErrUnsupportedTokenizer: ['This model\'s tokenizer is not known', 'Choose another model.'],
  FormatError: ['This is no usable GGUF file', 'It is damaged, not complete, or something else. Choose another, or download it again.'],
  KindError: ['This is another kind of file', ''],
  MetadataError: ['This GGUF file contradicts itself', 'Choose another, or download it again.'],
  ErrContextTooLong: ['The prompt is too long', 'Shorten it, or load the model with a larger context under “Memory and adapter”.'],
  ErrQueueFull: ['Too many prompts wait', 'Try again when some have ended.'],
  ErrNotNumbers: ['The model computed what is no number', 'The file may be damaged: download it again, or choose another quantization of the model.'],
  SelfTestError: ['This GPU computes wrongly', 'Update the browser and the graphics driver, or choose another adapter under “Memory and adapter”.'],
  ErrTemplate: ['The model\'s chat template refused this', 'Switch the mode to plain text in the settings.'],
  ErrBadRequest: ['That does not work', 'Change the setting it names and try again.'],
  ErrNotFound: ['There is no such file', ''],
  ErrForbidden: ['The server does not give this file to everyone', ''],
  ErrCORS: ['The server keeps this file from other pages', ''],
  ErrUnreachable: ['The server cannot be reached', ''],
  ErrCut: ['The connection broke', ''],
  ErrSilent: ['The server fell silent', ''],
  ErrBusy: ['The server is busy', ''],
  ErrServer: ['The server does not send the file', ''],
  ErrWebPage: ['This is a web page, not a model', ''],
  ErrEncoded: ['The server compresses the file', ''],
  ErrChanged: ['The file changed while it was read', ''],
  ErrBadAddress: ['This is not an address', ''],
  ErrKey: ['The server asks for a key', 'Type it under “Key” and load again.'],
  ErrClosed: ['The model was unloaded', 'Load it again.'],
  ErrCrashed: ['The engine stopped', 'Load the model again. If it happens every time, the tab may be short of memory.'],
  ShaderError: ['A shader did not compile', 'Update the browser and the graphics driver, or choose another adapter under “Memory and adapter”.'],
};

// adviceFor gives an error's title, message and what to do.
export function adviceFor(error) {
  const [title, advice] = WORDS[error.name] ?? ['That did not work', ''];
  return {title, message: error.message, advice};
}

// platformProblem says why WebGPU cannot be had on this page at all; null where it can.
export function platformProblem() {
  if (!globalThis.isSecureContext) {
    return {
      title: 'This page was not opened securely',
      message: 'Browsers give WebGPU, the web\'s way to the graphics processor, to secure pages only.',
      advice: 'Open it over https, or from localhost on this machine.',
    };
  }
  if (!navigator.gpu) {
    return {
      title: 'This browser has no WebGPU',
      message: 'Quire computes with WebGPU, the web\'s way to the graphics processor.',
      advice: FIREFOX ? `${IN_FIREFOX} ${BROWSERS}` : `${BROWSERS} ${LINUX}`,
    };
  }
  return null;
}

// show writes a problem into an alert; nothing clears it.
export function show(alert, problem) {
  alert.replaceChildren();
  if (!problem) return;
  const line = (tag, text) => {
    const node = document.createElement(tag);
    node.textContent = text;
    return node;
  };
  const box = document.createElement('div');
  box.className = 'alert';
  box.append(line('strong', `${problem.title}.`), line('p', problem.message));
  if (problem.advice) box.append(line('p', problem.advice));
  alert.append(box);
}
