// Which of the two views is seen: the address says, so that links and the browser's own way back work.

const $ = (id) => document.getElementById(id);

const SKIP = {chat: ['message', 'Skip to the message'], engine: ['prompts', 'Skip to the prompts']};

export class View {
  name = '';

  constructor() {
    addEventListener('hashchange', () => this.#read());
    this.#show('chat');
    this.#read();
  }

  // read follows the address. Other places on the page are no views.
  #read() {
    const name = location.hash.slice(1);
    if (name in SKIP) this.#show(name);
  }

  #show(name) {
    if (name === this.name) return;
    this.name = document.body.dataset.view = name;
    for (const each of Object.keys(SKIP)) $(`view-${each}`).hidden = each !== name;
    for (const a of document.querySelectorAll('.views a')) {
      if (a.hash === `#${name}`) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    const [to, text] = SKIP[name];
    Object.assign($('skip'), {hash: to, textContent: text});
  }
}
