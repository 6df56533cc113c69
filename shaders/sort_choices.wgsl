// The step's choices by expert: a counting sort, and the tiles into which a product by experts cuts the sorted ones. One
// workgroup does it all. The places of an expert's choices among one another may be any: no product depends on them.
//! include: routing
//! const EXPERTS: u32    experts
//! const TILE: u32       choices of a tile, at most
//! const ORDER: u32      the word of sorted where the choices begin; before them stand the tiles
//! const WORKGROUP: u32  invocations of the workgroup
//! most CHOICES: u32     the step's choices
@group(0) @binding(1) var<storage, read> routing: array<Choice>;
@group(0) @binding(2) var<storage, read_write> sorted: array<u32>; // tiles, then 4 words a tile: expert, first, end, 0; then choices

var<workgroup> counts: array<atomic<u32>, EXPERTS>;
var<workgroup> next: array<atomic<u32>, EXPERTS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lid: u32) {
    let all = choices();
    for (var e = lid; e < EXPERTS; e += WORKGROUP) { atomicStore(&counts[e], 0u); }
    workgroupBarrier();
    //! turns: CHOICES / WORKGROUP + 1u
    for (var c = lid; c < all; c += WORKGROUP) { atomicAdd(&counts[routing[c].expert], 1u); }
    workgroupBarrier();
    for (var e = lid; e < EXPERTS; e += WORKGROUP) {
        var first = 0u;
        var tile = 0u;
        for (var i = 0u; i < EXPERTS; i++) {
            let count = select(0u, atomicLoad(&counts[i]), i < e);
            first += count;
            tile += (count + TILE - 1u) / TILE;
        }
        let end = first + atomicLoad(&counts[e]);
        atomicStore(&next[e], first);
        //! turns: CHOICES / TILE + 1u
        for (var at = first; at < end; at += TILE) {
            let word = 4u + 4u * tile;
            sorted[word] = e;
            sorted[word + 1u] = at;
            sorted[word + 2u] = end;
            tile++;
        }
        if e == EXPERTS - 1u {
            sorted[0] = tile;
        }
    }
    workgroupBarrier();
    //! turns: CHOICES / WORKGROUP + 1u
    for (var c = lid; c < all; c += WORKGROUP) {
        let at = atomicAdd(&next[routing[c].expert], 1u);
        sorted[ORDER + at] = c;
    }
}
