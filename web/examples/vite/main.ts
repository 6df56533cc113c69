import {Quire, QuireError, type Progress} from 'quire-llm';
import tales from 'quire-llm/tales';

const bar = document.querySelector('progress')!;
const story = document.querySelector('#story')!;

function onProgress({done, total}: Progress) {
  if (total > 0) bar.value = done / total;
}

try {
  const quire = await Quire.open({model: tales, onProgress});
  bar.remove();
  const messages = [{role: 'user', content: 'Tell me a story about a fox and a kite.'}];
  for await (const {choices: [choice]} of quire.chat.completions.create({messages, stream: true})) {
    story.append(choice?.delta.content ?? '');
  }
} catch (e) {
  story.append(e instanceof QuireError ? `${e.name}: ${e.message}` : String(e));
}
