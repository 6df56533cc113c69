//go:build !js

// Package deploy tests what is here for running Quire on more than one machine; tests/cli tests nginx's part with two servers.
package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Where the schemas come from, and what checks by them.
const (
	kubeconform = "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"
	kubernetes  = "k8s.io/kubernetes@v1.34.2"
	gateway     = "sigs.k8s.io/gateway-api@v1.6.3"
	inference   = "sigs.k8s.io/gateway-api-inference-extension@v1.1.0"
)

func TestKubernetes(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("downloads Kubernetes' schemas: set QUIRE_ALL=1")
	}
	bin, schemas := t.TempDir(), t.TempDir()
	install := exec.Command("go", "install", kubeconform)
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	out, err := install.CombinedOutput()
	require.NoError(t, err, string(out))
	writeOwn(t, filepath.Join(fetch(t, kubernetes), "api", "openapi-spec", "swagger.json"), schemas)
	for _, pattern := range []string{
		filepath.Join(fetch(t, gateway), "config", "crd", "standard", "gateway.networking.k8s.io_*.yaml"),
		filepath.Join(fetch(t, inference), "config", "crd", "bases", "*.yaml"),
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			writeCustom(t, file, schemas)
		}
	}
	check := func(path string) (string, error) {
		c := exec.Command(filepath.Join(bin, "kubeconform"), "-strict", "-verbose", "-schema-location", schemas+"/{{.ResourceKind}}{{.KindSuffix}}.json", path)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	files, err := filepath.Glob("kubernetes/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		says, err := check(file)
		assert.NoError(t, err, says)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, bytes.Count(text, []byte("\nkind: ")), strings.Count(says, " is valid"), says)
		// The check finds a name that is wrong.
		for from, to := range map[string]string{"terminationGracePeriodSeconds": "gracePeriod", "targetPorts": "targetPort", "roleRef": "role"} {
			if bytes.Contains(text, []byte(from)) {
				wrong := filepath.Join(t.TempDir(), "wrong.yaml")
				require.NoError(t, os.WriteFile(wrong, bytes.Replace(text, []byte(from), []byte(to), 1), 0o600))
				says, err := check(wrong)
				assert.Error(t, err, "%s: %s", to, says)
			}
		}
	}
}

// fetch gives the folder of a Go module.
func fetch(t *testing.T, module string) string {
	t.Helper()
	c := exec.Command("go", "mod", "download", "-json", module)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "GOFLAGS=")
	out, err := c.Output()
	require.NoError(t, err, string(out))
	var told struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &told))
	return told.Dir
}

// write writes a kind's schema under the name that kubeconform looks for.
func write(t *testing.T, folder, kind, group, version string, schema any) {
	t.Helper()
	name := kind
	if first, _, _ := strings.Cut(group, "."); first != "" {
		name += "-" + first
	}
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, strings.ToLower(fmt.Sprintf("%s-%s.json", name, version))), text, 0o600))
}

// writeOwn writes the schemas of Kubernetes' own kinds.
func writeOwn(t *testing.T, file, folder string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var all struct{ Definitions map[string]map[string]any }
	require.NoError(t, json.Unmarshal(text, &all))
	all.Definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = map[string]any{"type": []string{"string", "integer"}}
	all.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = map[string]any{"type": []string{"string", "number"}}
	for _, d := range all.Definitions {
		closeUp(d)
	}
	wanted := []string{"Deployment", "ConfigMap", "Service", "ServiceAccount", "Role", "RoleBinding"}
	for name, d := range all.Definitions {
		kinds, _ := d["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			k := k.(map[string]any)
			for _, kind := range wanted {
				if k["kind"] == kind {
					write(t, folder, kind, k["group"].(string), k["version"].(string), map[string]any{"$ref": "#/definitions/" + name, "definitions": all.Definitions})
				}
			}
		}
	}
}

// writeCustom writes the schemas of a custom resource.
func writeCustom(t *testing.T, file, folder string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var resource struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPI map[string]any `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &resource))
	for _, v := range resource.Spec.Versions {
		closeUp(v.Schema.OpenAPI)
		write(t, folder, resource.Spec.Names.Kind, resource.Spec.Group, v.Name, v.Schema.OpenAPI)
	}
}

// closeUp lets objects have no names but those that a schema lists.
func closeUp(schema map[string]any) {
	if _, lists := schema["properties"]; lists && schema["additionalProperties"] == nil && schema["x-kubernetes-preserve-unknown-fields"] == nil {
		schema["additionalProperties"] = false
	}
	for _, inner := range schema {
		switch inner := inner.(type) {
		case map[string]any:
			for _, one := range inner {
				if m, ok := one.(map[string]any); ok {
					closeUp(m)
				}
			}
			closeUp(inner)
		}
	}
}
