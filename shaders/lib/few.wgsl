// Drawing among few tokens. The n-th best of the blocks' best keys is no greater than the n-th best token's, so the few blocks that
// reach it hold all tokens that do. These candidates, each compared with all, give by the same integers what choice.wgsl finds
// in many passes; ALL_IDS says that they may not be all that can be drawn. So it does where the total mass of all tokens, for top-p,
// which is known within bounds from sums of floats, leaves open which tokens are kept.
//! include: choice
//! const WORKGROUP: u32   invocations of a workgroup
//! const EACH: u32        candidates of an invocation at most
//! const SLICE: u32       vec4s of a slice
//! const SLICES: u32      slices of an output's logits
//! const VOCABULARY: u32  tokens

const FEW: u32 = EACH * WORKGROUP;            // candidates
const GUESS: u32 = WORKGROUP / 2u;            // of the best tokens, among which top-p's are looked for
const BLOCK: u32 = SLICE / WORKGROUP;         // vec4s
const QUADS: u32 = SLICES * (WORKGROUP / 4u); // of blocks
const QUAD_TURNS: u32 = QUADS / WORKGROUP + 1u;
const EVERYTHING: f32 = 64.0;                 // a distance past which nothing counts
const MASSLESS: f32 = 32.0;                   // and from which on there is no mass
const NEAR: f32 = 12.0;                       // logits so far below the best are seldom few

// Relative errors of a float's sum of masses, in units of 2^-23: of roundings of sums and exp2, and, for each power of two that a
// mass lies below the maximum, of distances and exp2.
const SUM_ERROR: f32 = f32(2u * BLOCK + 2u * PART + 32u);
const POWER_ERROR: f32 = 6.0;

var<workgroup> held: atomic<u32>;
var<workgroup> blocks: array<u32, FEW>;
var<workgroup> few: array<vec2<u32>, FEW>; // (key, id)
var<workgroup> masses: array<u32, FEW>;

// least_of_blocks gives the count-th best of what invocations find to be the best key of their shares of the blocks.
fn least_of_blocks(o: u32, lane: u32, count: u32) -> u32 {
    var best = 0u;
    if QUADS >= WORKGROUP {
        //! turns: QUAD_TURNS
        for (var q = lane; q < QUADS; q += WORKGROUP) {
            let keys = peaks[o * PEAKS + SLICES + q];
            best = max(best, max(max(keys.x, keys.y), max(keys.z, keys.w)));
        }
    } else { // so that all have a share
        //! turns: 4u * QUAD_TURNS
        for (var b = lane; b < 4u * QUADS; b += WORKGROUP) { best = max(best, peaks[o * PEAKS + SLICES + b / 4u][b % 4u]); }
    }
    return ranked_key(lane, count, best);
}

// taken reads how many held counts, and begins anew.
fn taken(lane: u32) -> u32 {
    workgroupBarrier();
    if lane == 0u {
        place = vec2<u32>(atomicLoad(&held), 0u);
        atomicStore(&held, 0u);
    }
    return workgroupUniformLoad(&place).x;
}

// within says whether a key is a candidate's.
fn within(key: u32, least: u32, limit: f32, maximum: f32, scale: f32) -> bool {
    return key >= least && distance_below(maximum, logit_of(key), scale) <= limit;
}

// gather lists the candidates and gives their number, more than FEW where there are too many.
fn gather(o: u32, base: u32, lane: u32, least: u32, limit: f32, maximum: f32, scale: f32) -> u32 {
    if lane == 0u {
        atomicStore(&held, 0u);
    }
    var mine = 0u;
    //! turns: QUAD_TURNS
    for (var q = lane; q < QUADS; q += WORKGROUP) {
        let keys = peaks[o * PEAKS + SLICES + q];
        for (var j = 0u; j < 4u; j++) {
            mine += select(0u, 1u, within(keys[j], least, limit, maximum, scale));
        }
    }
    workgroupBarrier();
    var at = 0u;
    if mine > 0u {
        at = atomicAdd(&held, mine);
    }
    let count = taken(lane);
    if count > FEW {
        return count;
    }
    if mine > 0u {
        //! turns: QUAD_TURNS
        for (var q = lane; q < QUADS; q += WORKGROUP) {
            let keys = peaks[o * PEAKS + SLICES + q];
            for (var j = 0u; j < 4u; j++) {
                if within(keys[j], least, limit, maximum, scale) {
                    blocks[at] = 4u * q + j;
                    at++;
                }
            }
        }
    }
    workgroupBarrier();
    //! turns: EACH * BLOCK
    for (var i = lane; i < count * BLOCK; i += WORKGROUP) {
        let block = blocks[i / BLOCK];
        let c = (block / WORKGROUP) * SLICE + (i % BLOCK) * WORKGROUP + block % WORKGROUP;
        if c < COLUMNS {
            let keys = keys_of(logits[base + c], c);
            for (var j = 0u; j < 4u; j++) {
                if within(keys[j], least, limit, maximum, scale) {
                    let to = atomicAdd(&held, 1u);
                    if to < FEW {
                        few[to] = vec2<u32>(keys[j], 4u * c + j);
                    }
                }
            }
        }
    }
    return taken(lane);
}

// total_of sums what invocations have.
fn total_of(lane: u32, sum: vec2<u32>) -> vec2<u32> {
    sums[lane] = sum;
    add_parts(lane);
    if lane == 0u {
        var all = vec2<u32>(0u);
        for (var i = 0u; i < 16u; i++) { all = wide_add(all, parts[i]); }
        place = all;
    }
    return workgroupUniformLoad(&place);
}

// wide_mass gives a sum of masses in units of the integers'.
fn wide_mass(x: f32) -> vec2<u32> {
    let high = floor(0.5 * x);
    return vec2<u32>(u32((x - 2.0 * high) * 2147483648.0), u32(high));
}

// total_within gives what the masses of all tokens together are at least (low, high), and at most.
fn total_within(o: u32, lane: u32, maximum: f32, scale: f32) -> vec4<u32> {
    var sum = vec2<f32>(0.0);
    for (var i = lane; i < SLICES; i += WORKGROUP) {
        let slice = peaks[o * PEAKS + i];
        if slice.x != 0u {
            let y = min(distance_below(maximum, logit_of(slice.x), scale), 100.0);
            let m = exp2(-y) * bitcast<vec2<f32>>(slice.zw);
            sum += vec2<f32>(m.x, m.y + m.x * y);
        }
    }
    sums[lane] = bitcast<vec2<u32>>(sum);
    workgroupBarrier();
    if lane < 16u {
        sum = vec2<f32>(0.0);
        for (var i = 0u; i < PART; i++) { sum += bitcast<vec2<f32>>(sums[lane * PART + i]); }
        parts[lane] = bitcast<vec2<u32>>(sum);
    }
    workgroupBarrier();
    if lane == 0u {
        sum = vec2<f32>(0.0);
        for (var i = 0u; i < 16u; i++) { sum += bitcast<vec2<f32>>(parts[i]); }
        let off = (SUM_ERROR * sum.x + POWER_ERROR * sum.y) * 1.1920929e-7;
        // Each integer may be rounded down by 1.
        place = wide_sub(wide_mass(sum.x - off), vec2<u32>(VOCABULARY, 0u));
        found_held = wide_mass(sum.x + off);
    }
    let low = workgroupUniformLoad(&place);
    return vec4<u32>(low, workgroupUniformLoad(&found_held));
}

// draw_few gives the token at a position among the masses, or ALL_IDS.
fn draw_few(o: u32, base: u32, lane: u32, params: u32, position: vec2<u32>, maximum: f32) -> u32 {
    let flags = lane_params[params + 6u];
    let best = lane_params[params + 1u];
    let fraction = lane_params[params + 2u];
    let scale = bitcast<f32>(lane_params[params]);
    let reach = bitcast<f32>(lane_params[params + 3u]);
    let top_k = limits_best(flags, best);
    let top_p = (flags & TOP_P) != 0u;
    var least = 1u;
    if VOCABULARY > FEW && !top_k && !top_p && min(reach, MASSLESS) > NEAR * scale {
        return ALL_IDS; // there is no use in trying
    }
    if VOCABULARY > FEW && (top_k || top_p) {
        let count = select(GUESS, best, top_k);
        if count > WORKGROUP {
            return ALL_IDS;
        }
        least = max(least, least_of_blocks(o, lane, count));
    }
    let n = gather(o, base, lane, least, select(reach, EVERYTHING, top_k || top_p), maximum, scale);
    if n > FEW {
        return ALL_IDS;
    }

    //! turns: EACH
    for (var i = lane; i < n; i += WORKGROUP) {
        masses[i] = mass(distance_below(maximum, logit_of(few[i].x), scale));
    }
    workgroupBarrier();
    // Of each of its candidates an invocation keeps what those before it, from the best on, hold.
    var before: array<vec2<u32>, EACH>;
    var kept: array<u32, EACH>;
    var have = vec2<u32>(0u);
    for (var e = 0u; e < EACH; e++) {
        let i = lane + e * WORKGROUP;
        if i < n {
            let mine = few[i];
            var rank = 0u;
            var sum = vec2<u32>(0u);
            //! turns: FEW
            for (var j = 0u; j < n; j++) {
                let other = few[j];
                if other.x > mine.x || (other.x == mine.x && other.y < mine.y) {
                    rank++;
                    sum = wide_add(sum, vec2<u32>(masses[j], 0u));
                }
            }
            before[e] = sum;
            kept[e] = select(masses[i], 0u, top_k && rank >= best);
            have = wide_add(have, vec2<u32>(kept[e], 0u));
        }
    }
    if top_p {
        have = total_of(lane, have);
        var need = share(have, fraction);
        if VOCABULARY > FEW && !top_k {
            let bounds = total_within(o, lane, maximum, scale);
            need = share(bounds.xy, fraction);
            let most = share(bounds.zw, fraction);
            if wide_less(have, need) {
                return ALL_IDS;
            }
            if lane == 0u && wide_less(have, most) {
                atomicAdd(&held, 1u);
            }
            for (var e = 0u; e < EACH; e++) {
                if lane + e * WORKGROUP < n && !wide_less(before[e], need) && wide_less(before[e], most) {
                    atomicAdd(&held, 1u);
                }
            }
            if taken(lane) != 0u {
                return ALL_IDS;
            }
        }
        for (var e = 0u; e < EACH; e++) { kept[e] = select(0u, kept[e], wide_less(before[e], need)); }
    }
    workgroupBarrier();
    have = vec2<u32>(0u);
    for (var e = 0u; e < EACH; e++) {
        let i = lane + e * WORKGROUP;
        if i < n {
            if distance_below(maximum, logit_of(few[i].x), scale) > reach {
                kept[e] = 0u;
            }
            masses[i] = kept[e];
            have = wide_add(have, vec2<u32>(kept[e], 0u));
        }
    }
    let goal = wide_mul_high(position, total_of(lane, have));
    for (var e = 0u; e < EACH; e++) {
        let i = lane + e * WORKGROUP;
        if i < n && kept[e] != 0u {
            let id = few[i].y;
            var sum = vec2<u32>(0u);
            //! turns: FEW
            for (var j = 0u; j < n; j++) {
                if few[j].y < id {
                    sum = wide_add(sum, vec2<u32>(masses[j], 0u));
                }
            }
            if !wide_less(goal, sum) && wide_less(goal, wide_add(sum, vec2<u32>(kept[e], 0u))) {
                place = vec2<u32>(id, 0u);
            }
        }
    }
    return workgroupUniformLoad(&place).x;
}
