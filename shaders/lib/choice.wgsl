// Choosing among one output's logits exactly: a workgroup finds thresholds by radix select over the keys, with counts or
// masses, and a place in the order of ids by prefix sums. Everything is integers, so the order in which invocations add
// does not matter; engine/sample/draw.go computes the same ones.
//! include: wide best
//! const WORKGROUP: u32   invocations of a workgroup
//! const VOCABULARY: u32  tokens

const PART: u32 = WORKGROUP / 16u;

// What a selection counts.
const COUNT: u32 = 0u; // tokens
const MASS: u32 = 1u;  // masses of the tokens kept so far
const TIES: u32 = 2u;  // kept tokens at the threshold
const DRAW: u32 = 3u;  // masses of the kept tokens within min-p's reach

// Kept are the tokens with a key above the threshold, and those at it up to the last id.
struct Kept { key: u32, last: u32 }

var<workgroup> bins_low: array<atomic<u32>, 256>;
var<workgroup> bins_high: array<atomic<u32>, 256>;
var<workgroup> parts: array<vec2<u32>, 16>;
var<workgroup> found: vec3<u32>; // a selection's key or a place, and what of the target remains
var<workgroup> found_held: vec2<u32>; // what the tokens at the selected key hold
var<workgroup> place: vec2<u32>;

fn keeps(kept: Kept, key: u32, id: u32) -> bool { return key > kept.key || (key == kept.key && id <= kept.last && key != 0u); }

// mass gives 2^31·2^-y by a polynomial in integers: the same on every machine.
fn mass(y: f32) -> u32 {
    if y >= 32.0 {
        return 0u;
    }
    let whole = floor(y);
    let f = u32((y - whole) * 4294967296.0);
    var acc = 0x00078809u;
    acc = 0x0054A612u - mul_high(f, acc);
    acc = 0x0274F388u - mul_high(f, acc);
    acc = 0x0E353290u - mul_high(f, acc);
    acc = 0x3D7F7506u - mul_high(f, acc);
    acc = 0xB17217DFu - mul_high(f, acc);
    return (0x80000000u - (mul_high(f, acc) >> 1u)) >> u32(whole);
}

// share gives top-p's part of a total mass, rounded up, at least 1.
fn share(total: vec2<u32>, fraction: u32) -> vec2<u32> {
    let low = mul_wide(total.x, fraction);
    let need = wide_add(mul_wide(total.y, fraction), vec2<u32>(low.y + select(0u, 1u, low.x != 0u), 0u));
    return select(need, vec2<u32>(1u, 0u), need.x == 0u && need.y == 0u);
}

// least_key bounds from below the key that is count-th from the top: of the best token of each invocation's share the
// count-th is such a bound. So hardly any token reaches the histograms.
fn least_key(base: u32, lane: u32, count: u32) -> u32 {
    var best = 0u;
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        let keys = keys_of(logits[base + c], c);
        best = max(best, max(max(keys.x, keys.y), max(keys.z, keys.w)));
    }
    return ranked_key(lane, count, best);
}

// ranked_key gives the count-th best key of those that invocations have, or 0.
fn ranked_key(lane: u32, count: u32, best: u32) -> u32 {
    sums[lane] = vec2<u32>(best, 0u);
    if lane == 0u {
        place = vec2<u32>(0u);
    }
    workgroupBarrier();
    // Four at a time, so that reads do not wait for each other.
    var ranks = vec4<u32>(0u);
    for (var i = 0u; i < WORKGROUP; i += 4u) {
        let others = vec4<u32>(sums[i].x, sums[i + 1u].x, sums[i + 2u].x, sums[i + 3u].x);
        let ahead = select(vec4<u32>(0u), vec4<u32>(1u), others > vec4<u32>(best));
        let equal = select(vec4<u32>(0u), vec4<u32>(1u), others == vec4<u32>(best));
        let earlier = select(vec4<u32>(0u), vec4<u32>(1u), vec4<u32>(i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(lane));
        ranks += ahead | (equal & earlier);
    }
    if ranks.x + ranks.y + ranks.z + ranks.w + 1u == count {
        place = vec2<u32>(best, 0u);
    }
    workgroupBarrier();
    return place.x;
}

// top_p_goal gives the mass that top-p keeps (low, high) and the least mass of a token that can be needed for it: all
// those of less together do not fill what top-p leaves over.
fn top_p_goal(base: u32, lane: u32, kept: Kept, fraction: u32, maximum: f32, scale: f32) -> vec3<u32> {
    var sum = vec2<u32>(0u);
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        sum = wide_add(sum, weigh_column(DRAW, base, c, kept, maximum, scale, 64.0));
    }
    workgroupBarrier();
    sums[lane] = sum;
    add_parts(lane);
    if lane == 0u {
        var all = vec2<u32>(0u);
        for (var i = 0u; i < 16u; i++) { all = wide_add(all, parts[i]); }
        let need = share(all, fraction);
        found = vec3<u32>(need, wide_ceil_div(wide_sub(all, need), VOCABULARY));
    }
    return workgroupUniformLoad(&found);
}

fn clear_bins(lane: u32) {
    for (var i = lane; i < 256u; i += WORKGROUP) {
        atomicStore(&bins_low[i], 0u);
        atomicStore(&bins_high[i], 0u);
    }
}

// fill_bins counts the tokens whose keys begin with prefix, above shift and the eight bits that are a bin's number.
fn fill_bins(what: u32, base: u32, lane: u32, kept: Kept, level: u32, prefix: u32, least: u32, maximum: f32, scale: f32) {
    let shift = 24u - 8u * level;
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        let x = logits[base + c];
        let keys = keys_of(x, c);
        for (var j = 0u; j < 4u; j++) {
            let id = 4u * c + j;
            let key = keys[j];
            // Shifting in two steps: by 32 bits at once is not defined.
            let here = level == 0u || ((key >> shift) >> 8u) == prefix;
            if key != 0u && here {
                let bin = (key >> shift) & 255u;
                if what == COUNT {
                    if key >= least {
                        atomicAdd(&bins_low[bin], 1u);
                    }
                } else if keeps(kept, key, id) {
                    let m = mass(distance_below(maximum, x[j], scale));
                    if m >= max(least, 1u) {
                        let before = atomicAdd(&bins_low[bin], m);
                        if before + m < before {
                            atomicAdd(&bins_high[bin], 1u);
                        }
                    }
                }
            }
        }
    }
}

// add_bins sums each sixteenth of the bins, from the top.
fn add_bins(lane: u32) {
    if lane < 16u {
        var sum = vec2<u32>(0u);
        for (var i = 0u; i < 16u; i++) {
            let bin = 255u - 16u * lane - i;
            sum = wide_add(sum, vec2<u32>(atomicLoad(&bins_low[bin]), atomicLoad(&bins_high[bin])));
        }
        parts[lane] = sum;
    }
}

// pick_bin finds the bin in which the target is reached, from the top, and makes its number the key's next eight bits.
fn pick_bin(prefix: u32, goal: vec2<u32>) {
    var rest = goal;
    var part = 0u;
    //! turns: 15u
    while part < 15u && wide_less(parts[part], rest) {
        rest = wide_sub(rest, parts[part]);
        part++;
    }
    var bin = 255u - 16u * part;
    let lowest = bin - 15u;
    var held = vec2<u32>(atomicLoad(&bins_low[bin]), atomicLoad(&bins_high[bin]));
    //! turns: 15u
    while bin > lowest && wide_less(held, rest) {
        rest = wide_sub(rest, held);
        bin--;
        held = vec2<u32>(atomicLoad(&bins_low[bin]), atomicLoad(&bins_high[bin]));
    }
    found = vec3<u32>((prefix << 8u) | bin, rest);
    found_held = held;
}

// select_key finds the greatest key such that the tokens from it up hold target, a count or a mass; found then has the
// key and what of the target is left for the tokens at it, found_held what they hold. Tokens below least, a key or a
// mass, are known to lie below it.
fn select_key(what: u32, base: u32, lane: u32, kept: Kept, goal: vec2<u32>, least: u32, maximum: f32, scale: f32) {
    for (var level = 0u; level < 4u; level++) {
        clear_bins(lane);
        workgroupBarrier();
        let prefix = select(found.x, 0u, level == 0u);
        fill_bins(what, base, lane, kept, level, prefix, least, maximum, scale);
        workgroupBarrier();
        add_bins(lane);
        workgroupBarrier();
        if lane == 0u {
            pick_bin(prefix, select(found.yz, goal, level == 0u));
        }
        workgroupBarrier();
    }
}

// weigh gives what a token counts for.
fn weigh(what: u32, x: f32, key: u32, id: u32, kept: Kept, maximum: f32, scale: f32, reach: f32) -> u32 {
    if !keeps(kept, key, id) {
        return 0u;
    }
    if what == TIES {
        return select(0u, 1u, key == kept.key);
    }
    let y = distance_below(maximum, x, scale);
    if y > reach {
        return 0u;
    }
    return mass(y);
}

// weigh_column sums what of four neighbouring ids.
fn weigh_column(what: u32, base: u32, c: u32, kept: Kept, maximum: f32, scale: f32, reach: f32) -> vec2<u32> {
    let x = logits[base + c];
    let keys = keys_of(x, c);
    var sum = vec2<u32>(0u);
    for (var j = 0u; j < 4u; j++) {
        sum = wide_add(sum, vec2<u32>(weigh(what, x[j], keys[j], 4u * c + j, kept, maximum, scale, reach), 0u));
    }
    return sum;
}

// add_parts sums what each sixteenth of the invocations holds.
fn add_parts(lane: u32) {
    workgroupBarrier();
    if lane < 16u {
        var sum = vec2<u32>(0u);
        for (var i = 0u; i < PART; i++) { sum = wide_add(sum, sums[lane * PART + i]); }
        parts[lane] = sum;
    }
    workgroupBarrier();
}

// owner finds the invocation whose share of sums holds position rest, and leaves the rest within it.
fn owner(rest: ptr<function, vec2<u32>>) -> u32 {
    var left = *rest;
    var part = 0u;
    //! turns: 15u
    while part < 15u && !wide_less(left, parts[part]) {
        left = wide_sub(left, parts[part]);
        part++;
    }
    var at = part * PART;
    let last = at + PART - 1u;
    //! turns: PART
    while at < last && !wide_less(left, sums[at]) {
        left = wide_sub(left, sums[at]);
        at++;
    }
    *rest = left;
    return at;
}

// locate gives the id at a position among what, counted in the order of ids: for TIES position.x is the position, for
// DRAW it is that share of 2^64 of the whole.
fn locate(what: u32, base: u32, lane: u32, kept: Kept, position: vec2<u32>, maximum: f32, scale: f32, reach: f32) -> u32 {
    let chunk = (COLUMNS + WORKGROUP - 1u) / WORKGROUP;
    var sum = vec2<u32>(0u);
    //! turns: chunk
    for (var c = lane * chunk; c < min((lane + 1u) * chunk, COLUMNS); c++) {
        sum = wide_add(sum, weigh_column(what, base, c, kept, maximum, scale, reach));
    }
    sums[lane] = sum;
    add_parts(lane);
    if lane == 0u {
        var rest = position;
        if what == DRAW {
            var all = vec2<u32>(0u);
            for (var i = 0u; i < 16u; i++) { all = wide_add(all, parts[i]); }
            rest = wide_mul_high(position, all);
        }
        let at = owner(&rest);
        found = vec3<u32>(at, rest);
    }
    workgroupBarrier();

    // The chunk in turn is shared among the invocations.
    let start = found.x * chunk;
    let rest_in_chunk = found.yz;
    let piece = (chunk + WORKGROUP - 1u) / WORKGROUP;
    let end = min(start + chunk, COLUMNS);
    sum = vec2<u32>(0u);
    //! turns: piece
    for (var c = start + lane * piece; c < min(start + (lane + 1u) * piece, end); c++) {
        sum = wide_add(sum, weigh_column(what, base, c, kept, maximum, scale, reach));
    }
    workgroupBarrier();
    sums[lane] = sum;
    add_parts(lane);
    if lane == 0u {
        var rest = rest_in_chunk;
        let at = owner(&rest);
        var id = 4u * (start + at * piece);
        let last = min(id + 4u * piece, VOCABULARY) - 1u;
        //! turns: 4u * piece
        while id < last {
            let x = logits[base + id / 4u];
            let w = vec2<u32>(weigh(what, x[id % 4u], keys_of(x, id / 4u)[id % 4u], id, kept, maximum, scale, reach), 0u);
            if wide_less(rest, w) {
                break;
            }
            rest = wide_sub(rest, w);
            id++;
        }
        place = vec2<u32>(id, 0u);
    }
    workgroupBarrier();
    return place.x;
}

// cut ends a selection: kept are the tokens from the found key up. It gives how many at that key are wanted and how many there are.
// Where they are more, all up to the last one that is wanted are kept.
fn cut(lane: u32, kept: ptr<function, Kept>, ties: vec2<u32>) -> vec2<u32> {
    let before = *kept;
    *kept = Kept(found.x, select(ALL_IDS, before.last, found.x == before.key));
    if lane == 0u {
        place = ties;
    }
    return workgroupUniformLoad(&place);
}
