// Says why nothing runs where the page's modules cannot be loaded: from a file, or in a browser of long ago. It is no module itself.

(function () {
  function stop(title, text) {
    var box = document.createElement('div');
    box.className = 'alert';
    var strong = document.createElement('strong');
    strong.textContent = title;
    box.appendChild(strong);
    for (var i = 0; i < text.length; i++) {
      var p = document.createElement('p');
      p.textContent = text[i];
      box.appendChild(p);
    }
    document.getElementById('platform').appendChild(box);
    document.getElementById('stage').textContent = 'Nothing can run here.';
    var parts = document.querySelectorAll('main button, main input, main select');
    for (var j = 0; j < parts.length; j++) parts[j].disabled = true;
  }
  if (location.protocol === 'file:') {
    stop('This page was opened from a file.', [
      'Browsers let a page from a file load neither its own program nor a model, so nothing can run here.',
      'Serve its folder and open that: “python3 -m http.server 8000” in the folder, then http://localhost:8000 in the browser.',
    ]);
  } else if (!('noModule' in document.createElement('script'))) {
    stop('This browser is too old.', ['Quire computes with WebGPU: use a current Chrome, Edge, Safari or Firefox.']);
  }
})();
