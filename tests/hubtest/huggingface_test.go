//go:build !js

package hubtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/tests/venv"
)

// script downloads with Hugging Face's own client, and prints what it takes each refusal for.
const script = `
import hashlib, sys
from huggingface_hub import HfApi, hf_hub_download, snapshot_download

allowed, commit = sys.argv[1:3]
def sha(path): return hashlib.sha256(open(path, "rb").read()).hexdigest()
def refused(error, *where, **how):
    try: hf_hub_download(*where, **how)
    except Exception as e: assert type(e).__name__ == error, (error, type(e), e)
    else: raise AssertionError(f"{where} came")

api = HfApi()
about = api.model_info("o/r", files_metadata=True)
files = {f.rfilename: f for f in about.siblings}
assert about.sha == commit
assert list(files) == ["large.gguf", "small.txt"], files
assert files["large.gguf"].lfs.size == files["large.gguf"].size
for f in api.list_repo_tree("o/many", recursive=True):
    large = f.path
assert large == "z.gguf", "all pages"
path = hf_hub_download("o/r", "large.gguf")
assert sha(path) == files["large.gguf"].lfs.sha256
assert commit in path
assert open(hf_hub_download("o/r", "small.txt")).read() == "small"
assert sha(hf_hub_download("o/r", "large.gguf", revision="feature/new", token=allowed)) == files["large.gguf"].lfs.sha256
assert sha(snapshot_download("o/r", revision=commit) + "/large.gguf") == files["large.gguf"].lfs.sha256
refused("RemoteEntryNotFoundError", "o/r", "none.gguf")
refused("RevisionNotFoundError", "o/r", "large.gguf", revision="none")
refused("RepositoryNotFoundError", "o/none", "large.gguf", token="hf_known")
refused("GatedRepoError", "o/gated", "large.gguf")
refused("GatedRepoError", "o/gated", "large.gguf", token="hf_known")
hf_hub_download("o/gated", "large.gguf", token=allowed)
print("ok")
`

// The server is one that Hugging Face's own client takes for the hub.
func TestHuggingFacesClient(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("huggingface_hub from PyPI: set QUIRE_ALL=1")
	}
	client := venv.Python(t, "huggingface_hub==2.4.0")
	s := New(t)
	data := []byte("GGUF" + string(make([]byte, 1<<20)))
	r := Repo{Files: map[string][]byte{"large.gguf": data}, Small: map[string][]byte{"small.txt": []byte("small")}, Revisions: []string{"feature/new"}}
	s.Put("o/r", r)
	s.Put("o/gated", Repo{Files: map[string][]byte{"large.gguf": data}, Gated: true})
	s.Put("o/many", Repo{Files: map[string][]byte{"a": data, "b": data, "c": data, "d": data, "z.gguf": data}})
	home := t.TempDir()
	c := exec.Command(client, "-c", script, s.Allowed, r.Commit())
	c.Env = append(os.Environ(), "HF_ENDPOINT="+s.Hub.URL, "HF_HOME="+filepath.Join(home, "hf"), "HF_TOKEN=", "HF_HUB_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_XET=1", "HF_HUB_DISABLE_PROGRESS_BARS=1")
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "ok")
	for _, r := range s.Requests() {
		if r.Content {
			require.Empty(t, r.Authorization)
		}
	}
}
