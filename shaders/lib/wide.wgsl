// Integers of 64 bits: x is the low word, y the high one.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let al = a & 0xFFFFu;
    let ah = a >> 16u;
    let bl = b & 0xFFFFu;
    let bh = b >> 16u;
    let low = al * bl;
    let m = ah * bl + (low >> 16u);
    let n = al * bh + (m & 0xFFFFu);
    return vec2<u32>(a * b, ah * bh + (m >> 16u) + (n >> 16u));
}

fn mul_high(a: u32, b: u32) -> u32 { return mul_wide(a, b).y; }

fn wide_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// wide_sub gives a − b for b ≤ a.
fn wide_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn wide_less(a: vec2<u32>, b: vec2<u32>) -> bool { return a.y < b.y || (a.y == b.y && a.x < b.x); }

// wide_mul_high gives the upper 64 bits of a·b.
fn wide_mul_high(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    var middle = wide_add(mul_wide(a.x, b.y), vec2<u32>(mul_high(a.x, b.x), 0u));
    let other = mul_wide(a.y, b.x);
    let low = middle.x + other.x;
    var high = wide_add(mul_wide(a.y, b.y), vec2<u32>(middle.y, 0u));
    high = wide_add(high, vec2<u32>(other.y, 0u));
    return wide_add(high, vec2<u32>(select(0u, 1u, low < middle.x), 0u));
}

// wide_ceil_div gives a / b rounded up, for b > 0 and a quotient of less than 2^32.
fn wide_ceil_div(a: vec2<u32>, b: u32) -> u32 {
    var rest = vec2<u32>(0u);
    var quotient = 0u;
    for (var i = 0u; i < 64u; i++) {
        let word = select(a.y, a.x, i >= 32u);
        rest = vec2<u32>((rest.x << 1u) | ((word >> (31u - i % 32u)) & 1u), (rest.y << 1u) | (rest.x >> 31u));
        quotient = quotient << 1u;
        if !wide_less(rest, vec2<u32>(b, 0u)) {
            rest = wide_sub(rest, vec2<u32>(b, 0u));
            quotient |= 1u;
        }
    }
    return quotient + select(0u, 1u, (rest.x | rest.y) != 0u);
}
