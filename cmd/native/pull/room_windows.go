package pull

import (
	"os"

	"golang.org/x/sys/windows"
)

// room is how many bytes a folder's disk has left for this user; negative where that is not known.
func room(folder string) int64 {
	name, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return -1
	}
	var free uint64
	if windows.GetDiskFreeSpaceEx(name, &free, nil, nil) != nil {
		return -1
	}
	return int64(free)
}

// taken is how many bytes of the disk a file takes.
func taken(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
