package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands in for parts of the standard library does what they do, but for the text of a time.
func TestStandIns(t *testing.T) {
	t.Chdir("../../..")
	folder := t.TempDir()
	require.NoError(t, overlay(folder))
	program := filepath.Join(folder, "main.go")
	require.NoError(t, os.WriteFile(program, []byte(`package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	calls := 0
	one := sync.OnceValue(func() int { calls++; return calls })
	two := sync.OnceValues(func() (int, string) { calls++; return calls, "b" })
	none := sync.OnceFunc(func() { calls++; panic("broken") })
	fmt.Println(one(), one())
	fmt.Println(two())
	fmt.Println(two())
	for range 2 {
		func() {
			defer func() { fmt.Println(recover() != nil, calls) }()
			none()
		}()
	}
	for n := range 40 {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint(i*i%(n/2+3)))
		}
		func() {
			some, byLength := slices.Clone(list), slices.Clone(list)
			slices.Sort(list)
			slices.SortFunc(some, strings.Compare)
			slices.SortStableFunc(byLength, func(a, b string) int { return len(a) - len(b) })
			for i := 1; i < n; i++ {
				before, after := byLength[i-1], byLength[i]
				if list[i-1] > list[i] || some[i] != list[i] || len(before) > len(after) {
					fmt.Println("not sorted:", list, some, byLength)
				}
			}
		}()
	}
	odd := slices.DeleteFunc(slices.Concat([]int{1, 2}, nil, []int{3, 4, 5}), func(n int) bool { return n%2 == 0 })
	fmt.Println(odd, slices.Insert(odd, 1, 7, 8), slices.Insert([]int(nil), 0, 9))
	type pair struct{ key, place int }
	var pairs []pair
	for i := range 30 {
		pairs = append(pairs, pair{i * i % 7, i})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return a.key - b.key })
	for i := 1; i < len(pairs); i++ {
		if a, b := pairs[i-1], pairs[i]; a.key > b.key || a.key == b.key && a.place > b.place {
			fmt.Println("not stable:", pairs)
		}
	}
	at := time.Unix(5, 7)
	fmt.Printf("%v %#v %s\n", at, at, at.UTC().Format(time.RFC3339))
}
`), 0o644))
	out, err := exec.Command("go", "run", "-overlay", filepath.Join(folder, "overlay.json"), program).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "1 1\n2 b\n2 b\ntrue 3\ntrue 3\n[1 3 5] [1 7 8 3 5] [9]\n5 5 1970-01-01T00:00:05Z\n", string(out))
}
