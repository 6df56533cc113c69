import React, {StrictMode, useState} from 'react';
import {createRoot} from 'react-dom/client';
import tales from 'quire-llm/tales';

import {useQuire} from './useQuire.js';

function Chat() {
  const {ready, progress, error, messages, busy, send} = useQuire(tales);
  const [text, setText] = useState('Tell me a story about a fox and a kite.');
  if (error) return <p role="alert">{error.message}</p>;
  if (!ready) return <progress max={progress?.total || 1} value={progress?.done ?? 0} />;
  return (
    <main>
      {messages.map(({role, content}, i) => <p key={i} className={role}>{content}</p>)}
      <form onSubmit={(e) => { e.preventDefault(); send(text); setText(''); }}>
        <input value={text} onChange={(e) => setText(e.target.value)} aria-label="Message" />
        <button disabled={busy || text === ''}>Send</button>
      </form>
    </main>
  );
}

createRoot(document.getElementById('root')).render(<StrictMode><Chat /></StrictMode>);
