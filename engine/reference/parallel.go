package reference

import (
	"runtime"
	"sync"
)

// parallel calls work for 0 to n-1, spread over the processors in contiguous shares.
func parallel(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				work(i)
			}
		})
	}
	wait.Wait()
}
