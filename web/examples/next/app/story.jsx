'use client'; // the server only writes the page that this begins with

import {Quire} from 'quire-llm';
import tales from 'quire-llm/tales';
import {useEffect, useState} from 'react';

let engine = null; // a page has one, however often this is mounted: strict mode mounts everything twice

export function Story() {
  const [text, setText] = useState('');
  const [progress, setProgress] = useState({done: 0, total: 1});

  useEffect(() => {
    let there = true;
    const leave = new AbortController();
    (async () => {
      engine ??= Quire.open({model: tales, onProgress: (p) => there && setProgress(p)});
      const quire = await engine;
      const messages = [{role: 'user', content: 'Tell me a story about a fox and a kite.'}];
      setText('');
      for await (const chunk of quire.generate({messages, signal: leave.signal})) setText((before) => before + chunk.text);
    })().catch((e) => there && setText(`${e.name}: ${e.message}`));
    return () => {
      there = false;
      leave.abort();
    };
  }, []);

  return text === '' ? <progress max={progress.total || 1} value={progress.done} /> : <p>{text}</p>;
}
