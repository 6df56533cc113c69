// Workgroups past what one dimension of a dispatch takes go on in the next: kernel.Fold is its other half.
const FOLD: u32 = 65535u; // kernel.MaxWorkgroups
