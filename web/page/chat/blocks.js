// Cuts Markdown into blocks that stand for themselves, small enough to be shown one by one: long lists and tables into their items and
// rows. A block is {kind, raw, token, text, joins}; joins says that it belongs into the list or table before it.

// blocksOf cuts a text that goes on after a block, or after none.
export function blocksOf(marked, text, after) {
  const head = after?.head ?? ''; // a table's rows are none without it
  const tokens = marked.lexer(head + text), {links} = tokens;
  const blocks = tokens.flatMap(cut);
  if (head && blocks[0]?.raw !== head) return blocksOf(marked, text, null);
  if (head) blocks.shift();
  else if (blocks[0] && after?.kind === 'list' && blocks[0].kind === 'list' && blocks[0].token.ordered === after.token.ordered) blocks[0].joins = true;
  for (const block of blocks) block.links = links;
  return blocks;
}

function cut(token) {
  switch (token.type) {
    case 'code':
      return [{kind: 'code', raw: token.raw, token, text: token.text.replace(/\n$/, ''), language: /^\S*/.exec(token.lang ?? '')[0]}];
    case 'list':
      return items(token) ?? [{kind: 'other', raw: token.raw, token}];
    case 'table':
      return rows(token) ?? [{kind: 'other', raw: token.raw, token}];
  }
  return [{kind: 'other', raw: token.raw, token}];
}

function items(list) {
  if (list.items.map(({raw}) => raw).join('') !== list.raw) return null;
  return list.items.map((item, i) => {
    const token = {...list, raw: item.raw, start: list.ordered ? list.start + i : '', items: [{...item, ...spaced(item)}]};
    return {kind: 'list', raw: item.raw, token, joins: i > 0};
  });
}

// spaced has an item of several paragraphs show them as such, and no other, whatever the list's other items are like.
function spaced({tokens}) {
  const apart = tokens.filter(({type}) => type === 'text' || type === 'paragraph').length > 1;
  const type = apart ? 'paragraph' : 'text';
  return {loose: apart, tokens: tokens.map((t) => (t.type === 'text' || t.type === 'paragraph' ? {...t, type} : t))};
}

function rows(table) {
  const lines = table.raw.match(/[^\n]*\n|[^\n]+$/g), head = lines.slice(0, 2).join('');
  if (lines.length < 2 + table.rows.length || !head.endsWith('\n')) return null;
  const each = table.rows.map((row, i) => {
    const raw = i < table.rows.length - 1 ? lines[2 + i] : lines.slice(2 + i).join('');
    return {kind: 'table', raw, head, token: {...table, raw, rows: [row]}, joins: true};
  });
  return [{kind: 'table', raw: head, head, token: {...table, raw: head, rows: []}}, ...each];
}
