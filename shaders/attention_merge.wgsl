// Combines the spans that attention items kept of a query row, in order (Flash-Decoding): each weighted by
// exp(its maximum − the greatest), the sum divided once. A span whose sum is 0 saw nothing and counts for nothing.
// include: step

@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

const COLUMNS: u32 = (HEAD_DIM + 3u) / 4u;
const FOLD: u32 = 65535u;
const NONE: f32 = -3.0e38;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.z * FOLD + group.x;
    if (index >= step[STEP_MERGES]) { return; }
    let kv_head = group.y;
    let merge = step[STEP_AT_MERGES] + index * MERGE_WORDS;
    let row = step[merge];
    let item = step[merge + 1u];
    let items = step[merge + 2u];
    let first = step[step[STEP_AT_DECODE] + item * ITEM_WORDS + 1u];
    let rows = min(BQ, row_count(row) * HEADS_PER_KV - first);

    for (var i = lane; i < rows * COLUMNS; i += 64u) {
        let r = i / COLUMNS;
        let c = i % COLUMNS;
        let base = (item * KV_HEADS + kv_head) * BQ + r;
        var greatest = NONE;
        for (var n = 0u; n < items; n++) {
            let state = partials[(base + n * KV_HEADS * BQ) * (COLUMNS + 1u) + COLUMNS];
            greatest = select(greatest, max(greatest, state.x), state.y > 0.0);
        }
        var sum = 0.0;
        var x = vec4<f32>(0.0);
        for (var n = 0u; n < items; n++) {
            let at = (base + n * KV_HEADS * BQ) * (COLUMNS + 1u);
            let state = partials[at + COLUMNS];
            if (state.y > 0.0) {
                let scale = exp(min(state.x - greatest, 0.0));
                sum += state.y * scale;
                x += partials[at + c] * scale;
            }
        }
        if (sum > 0.0) { x /= sum; }
        let flat = first + r;
        let head = kv_head * HEADS_PER_KV + flat % HEADS_PER_KV;
        let at = (row_first(row) + flat / HEADS_PER_KV) * OUT_STRIDE + head * HEAD_DIM;
        let e = 4u * c;
        out[at + e] = x.x;
        if (e + 1u < HEAD_DIM) { out[at + e + 1u] = x.y; }
        if (e + 2u < HEAD_DIM) { out[at + e + 2u] = x.z; }
        if (e + 3u < HEAD_DIM) { out[at + e + 3u] = x.w; }
    }
}
