//go:build !js

package gpu

// summers are how many parts are read, and summed, at once.
const summers = 8
