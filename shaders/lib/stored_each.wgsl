// Storing of what a tile has of four rows of W, one by one.
//! include: store_over
//! const N: u32  rows of this piece of W
fn store_four(m: u32, n: u32, v: vec4<f32>) {
    if n < N {
        store(m, n, v.x);
    }
    if n + 1u < N {
        store(m, n + 1u, v.y);
    }
    if n + 2u < N {
        store(m, n + 2u, v.z);
    }
    if n + 3u < N {
        store(m, n + 3u, v.w);
    }
}

// store_pair does so with what comes of gates and ups.
fn store_pair(m: u32, n: u32, v: vec2<f32>) {
    if n < N {
        store(m, n / 2u, v.x);
    }
    if n + 2u < N {
        store(m, n / 2u + 1u, v.y);
    }
}
