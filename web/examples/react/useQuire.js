import {Quire} from 'quire-llm';
import {useCallback, useEffect, useState} from 'react';

// A page has one engine, whatever is mounted, and however often: strict mode mounts everything twice.
const engines = new Map();

/** Opens a model once, and gives a conversation with it: {ready, progress, error, messages, busy, send}. */
export function useQuire(model) {
  const [quire, setQuire] = useState(null);
  const [progress, setProgress] = useState(null);
  const [error, setError] = useState(null);
  const [messages, setMessages] = useState([]);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    let there = true;
    if (!engines.has(model)) engines.set(model, Quire.open({model, onProgress: (p) => setProgress(p)}));
    engines.get(model).then((q) => there && setQuire(q), (e) => there && setError(e));
    return () => { there = false; };
  }, [model]);

  const send = useCallback(async (content) => {
    const asked = [...messages, {role: 'user', content}];
    let text = '';
    setBusy(true);
    setMessages([...asked, {role: 'assistant', content: text}]);
    try {
      for await (const chunk of quire.generate({messages: asked, truncation: 'auto'})) {
        text += chunk.text;
        setMessages([...asked, {role: 'assistant', content: text}]);
      }
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  }, [quire, messages]);

  return {ready: quire !== null, progress, error, messages, busy, send};
}
