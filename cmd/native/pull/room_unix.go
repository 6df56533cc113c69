//go:build linux || darwin || freebsd

package pull

import "golang.org/x/sys/unix"

// room is how many bytes a folder's disk has left for this user; negative where that is not known.
func room(folder string) int64 {
	var about unix.Statfs_t
	if unix.Statfs(folder, &about) != nil {
		return -1
	}
	return int64(about.Bavail) * int64(about.Bsize)
}

// taken is how many bytes of the disk a file takes, which for one with holes is less than its size.
func taken(path string) int64 {
	var about unix.Stat_t
	if unix.Stat(path, &about) != nil {
		return 0
	}
	return about.Blocks * 512
}
