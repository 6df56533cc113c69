// The counter-based generator Philox4x32-10 (Salmon et al., SC 2011, section 3.4), as engine/sample has it.
//! include: wide
fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var key = seed;
    for (var i = 0u; i < 10u; i++) {
        let a = mul_wide(c.x, 0xD2511F53u);
        let b = mul_wide(c.z, 0xCD9E8D57u);
        c = vec4<u32>(b.y ^ c.y ^ key.x, b.x, a.y ^ c.w ^ key.y, a.x);
        key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}
