// The token that a lane's parameters, seed and counter draw.
//! include: rng few
//! const STRIDE: u32     words from one output's logits to the next
//! const WORKGROUP: u32  invocations of a workgroup

fn drawn(o: u32, output: u32, lane: u32, params: u32, peak: vec2<u32>) -> u32 {
    if (lane_params[params + 6u] & GREEDY) != 0u {
        return peak.y;
    }
    let base = o * (STRIDE / 4u);
    let maximum = logit_of(peak.x);
    let random = philox(vec4<u32>(step[output + 2u], 0u, 0u, 0u), vec2<u32>(lane_params[params + 4u], lane_params[params + 5u]));
    var token = draw_few(o, base, lane, params, random.xy, maximum);
    if token == ALL_IDS {
        token = draw_any(base, lane, params, random.xy, maximum);
    }
    return token;
}

// draw_any draws among all tokens. Top-k, top-p and the draw are turns of one loop, for compilers write out what is called.
fn draw_any(base: u32, lane: u32, params: u32, position: vec2<u32>, maximum: f32) -> u32 {
    let flags = lane_params[params + 6u];
    let best = lane_params[params + 1u];
    let scale = bitcast<f32>(lane_params[params]);
    let reach = bitcast<f32>(lane_params[params + 3u]);
    var kept = Kept(0u, ALL_IDS);
    var token = 0u;
    for (var turn = 0u; turn < 3u; turn++) {
        var what = DRAW;
        var at = position;
        if turn < 2u {
            var goal = vec2<u32>(best, 0u);
            var least = 0u;
            what = COUNT;
            if turn == 0u {
                if !limits_best(flags, best) {
                    continue;
                }
                if best <= WORKGROUP {
                    least = least_key(base, lane, best);
                }
            } else {
                if (flags & TOP_P) == 0u {
                    continue;
                }
                let share = top_p_goal(base, lane, kept, lane_params[params + 2u], maximum, scale);
                goal = share.xy;
                least = share.z;
                what = MASS;
            }
            select_key(what, base, lane, kept, goal, least, maximum, scale);
            var ties = vec2<u32>(found.y, found_held.x);
            if turn == 1u { // all tokens at one key have one mass
                let each = max(mass(distance_below(maximum, logit_of(found.x), scale)), 1u);
                ties = vec2<u32>(wide_ceil_div(found.yz, each), wide_ceil_div(found_held, each));
            }
            ties = cut(lane, &kept, ties);
            if ties.x >= ties.y {
                continue;
            }
            what = TIES;
            at = vec2<u32>(ties.x - 1u, 0u);
        }
        let id = locate(what, base, lane, kept, at, maximum, scale, reach);
        if turn < 2u {
            kept.last = id;
        } else {
            token = id;
        }
    }
    return token;
}
