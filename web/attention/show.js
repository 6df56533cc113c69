// Shows a report: the adapter's figures, the tables and the charts.

import {duration, whole} from '../page/format.js';

const $ = (id) => document.getElementById(id);

const CLOCKS = {gpu: 'the GPU’s timestamps', wall: 'wall clock, many launches queued'};
const SIZES = [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]];

const digits = (n) => (n >= 1000 ? whole(Math.round(n)) : String(Number(n.toPrecision(3))));
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function size(n) {
  const [unit, bytes] = SIZES.find(([, bytes]) => n >= bytes) ?? ['bytes', 1];
  return `${digits(n / bytes)} ${unit}`;
}

const time = (seconds) => (seconds < 0.1 ? `${digits(1000 * seconds)} ms` : duration(1000 * seconds));

export function showReport({report, charts}) {
  const small = report.fma_tflop_per_second < 1; // software adapters
  const unit = small ? 'GFLOP/s' : 'TFLOP/s', per = small ? 1000 : 1;
  $('figure-adapter').textContent = report.type === 'cpu' ? `${report.adapter}, in software: slow` : report.adapter;
  $('figure-clock').textContent = CLOCKS[report.clock];
  $('figure-bandwidth').textContent = `${digits(report.bandwidth_gb_per_second)} GB/s`;
  $('figure-copies').textContent = `${digits(report.copy_gb_per_second)} GB/s`;
  $('figure-fma').textContent = `${digits(per * report.fma_tflop_per_second)} ${unit}`;

  document.querySelector('[data-unit]').textContent = unit;
  fill($('table'), report.results.map((r) => {
    const heads = r.heads === r.kv_heads ? r.heads : `${r.heads}/${r.kv_heads}`;
    const kind = r.causal ? r.kind : `${r.kind}, no mask`;
    const begin = [kind, r.method, r.kernel.replace(/^.*\//, '') || r.variant, whole(r.length), r.head_dim, heads, r.batch, r.kv_type];
    if (r.skipped) return [...begin, {note: `not measured: ${r.skipped}`, columns: 7}];
    return [...begin, time(r.seconds), digits(per * r.tflop_per_second), percent(r.fma_share), digits(r.gb_per_second), percent(r.bandwidth_share),
      size(r.buffer_bytes), r.speedup ? r.speedup.toFixed(1) : ''];
  }));
  fill($('memory'), report.memory.map((m) => [
    whole(m.length), m.head_dim, size(m.flash_bytes), size(m.standard_bytes) + (m.computed ? ', computed' : ''), m.ratio.toFixed(1)]));
  draw(charts);

  $('none').hidden = report.results.length > 0;
  const download = $('download');
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2) + '\n'], {type: 'application/json'}));
  download.hidden = report.results.length === 0;
}

// forget takes the last run's results away.
export function forget() {
  for (const name of ['adapter', 'clock', 'bandwidth', 'copies', 'fma']) $(`figure-${name}`).textContent = '–';
  for (const id of ['table', 'memory']) fill($(id), []);
  draw([]);
  $('none').hidden = false;
  $('download').hidden = true;
}

// fill writes a table's rows. Roles stand for what a narrow page, which lays rows out as lists, takes from the elements.
function fill(table, rows) {
  const names = [...table.tHead.rows[0].cells].map((th) => th.textContent);
  table.tBodies[0].replaceChildren(...rows.map((cells) => {
    const row = document.createElement('tr');
    row.setAttribute('role', 'row');
    cells.forEach((cell, i) => {
      const td = row.insertCell();
      td.setAttribute('role', 'cell');
      td.dataset.name = names[i];
      td.textContent = cell.note ?? cell;
      if (cell.columns) td.colSpan = cell.columns;
    });
    return row;
  }));
  table.parentElement.parentElement.hidden = rows.length === 0;
}

// draw puts the engine's own drawings in.
function draw(charts) {
  const parser = new DOMParser();
  $('charts').replaceChildren(...charts.map(({svg}) => {
    const drawing = document.adoptNode(parser.parseFromString(svg, 'image/svg+xml').documentElement);
    drawing.removeAttribute('width');
    drawing.removeAttribute('height');
    return drawing;
  }));
}
