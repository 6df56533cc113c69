import {Quire} from './node_modules/quire-llm/quire.js';
import tales from './node_modules/quire-llm/tales.js';

const quire = await Quire.open({model: tales});
const story = quire.generate({messages: [{role: 'user', content: 'Tell me a story about a fox and a kite.'}]});
for await (const {text} of story) document.body.append(text);
