// What the openai client may expect of Quire, whichever door it knocks at. It runs in browsers and in Node, and so knows only what
// both have.
//
// A door is {client, model, assistant, tools, url, fetch, several, idle}: an OpenAI client and the name of a model that tells stories; a client
// and the name of the model of tests/tiny's assistant.go; the base URL and the fetch that the first client uses; whether there are several
// models behind it, so that names matter; and what waits until nothing runs any more.

import {cases as chat} from './chat.js';
import {cases as client} from './client.js';
import {cases as errors} from './errors.js';
import {cases as forms} from './forms.js';
import {cases as others} from './others.js';
import {cases as responses} from './responses.js';
import {cases as tokens} from './tokens.js';
import {cases as tools} from './tools.js';

export const cases = {...chat, ...others, ...tools, ...errors, ...responses, ...forms};
/** What takes a software GPU long. */
export const more = {...tokens, ...client};
