// Which keys a query row of standard attention sees, and what its scores become.
//! const CAUSAL: bool  a query sees no key behind its own position
//! const WINDOW: u32   a query sees keys less than so far away; 0: all
//! const SOFTCAP: f32  bound of scores; 0: none

// keys_seen gives the keys [x, y) that a row sees; the last row is at the last key.
fn keys_seen(row: u32, queries: u32, keys: u32) -> vec2<i32> {
    let position = i32(keys) - i32(queries) + i32(row);
    var low = 0;
    var high = i32(keys);
    if CAUSAL {
        high = min(high, position + 1);
    }
    if WINDOW > 0u {
        low = max(low, position - i32(WINDOW) + 1);
        high = min(high, position + i32(WINDOW));
    }
    return vec2<i32>(low, high);
}

// seen_of tells which of the keys 4i to 4i+3 lie in the range.
fn seen_of(i: u32, range: vec2<i32>) -> vec4<bool> {
    let keys = vec4<i32>(i32(4u * i)) + vec4<i32>(0, 1, 2, 3);
    return (keys >= vec4<i32>(range.x)) & (keys < vec4<i32>(range.y));
}

// bent is tanh(s / SOFTCAP), through exp of values that are never positive.
fn bent(s: vec4<f32>) -> vec4<f32> {
    let e = exp(max(-2.0 * abs(s) / SOFTCAP, vec4<f32>(-80.0)));
    return sign(s) * (1.0 - e) / (1.0 + e);
}

// capped bounds scores softly to ±SOFTCAP.
fn capped(s: vec4<f32>) -> vec4<f32> {
    if SOFTCAP == 0.0 {
        return s;
    }
    return SOFTCAP * bent(s);
}
