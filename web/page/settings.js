// The settings that all prompts share.

const $ = (id) => document.getElementById(id);

const chosen = new Set(); // ids of what a person has set

addEventListener('input', ({target}) => {
  if (target.closest('#settings')) chosen.add(target.id);
});

// suit takes over what suits a model, but for what was set by hand.
export function suit({defaults, info}) {
  const own = {temperature: defaults.temperature, 'top-p': defaults.topP, 'min-p': defaults.minP, mode: info.chat ? 'chat' : 'raw'};
  for (const [id, value] of Object.entries(own)) {
    if (!chosen.has(id)) $(id).value = value;
  }
  $('mode').options[0].disabled = !info.chat;
  if (!info.chat) $('mode').value = 'raw';
}

// request reads the settings for a prompt, which goes on from messages.
export function request(text, messages) {
  const number = (id) => ($(id).value === '' ? undefined : $(id).valueAsNumber);
  const input = $('mode').value === 'chat'
    ? {messages: [...messages, {role: 'user', content: text}], truncation: 'auto'}
    : {prompt: messages.map(({content}) => content).join('') + text};
  return {
    ...input, seed: number('seed'), temperature: number('temperature'), maxTokens: number('max-tokens'), topP: number('top-p'),
    minP: number('min-p'), n: number('answers'),
  };
}
