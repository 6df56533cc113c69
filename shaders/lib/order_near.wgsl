// Neighbours halve the scores first, where most exchanges are: Chromium checks nothing of those within a quad. An invocation has the
// part of the scores whose number is its own with the bits in reverse, and from a part's number comes the invocation's likewise.
//! const LANES: u32       invocations that share a key
//! const LEVELS: u32      halvings that leave an invocation its own

//! inline
fn part(lane: u32) -> u32 { return (reverseBits(lane) >> (32u - LEVELS)); }
//! inline
fn half_span(level: u32) -> u32 { return (1u << level); }
//! inline
fn row_span(level: u32) -> u32 { return ((LANES / 2u) >> level); }

// swapped is what the invocation has whose number differs by span, a power of two.
fn swapped(x: f32, span: u32) -> f32 {
    if span == 1u {
        return quadSwapX(x);
    }
    if span == 2u {
        return quadSwapY(x);
    }
    return subgroupShuffleXor(x, span);
}
