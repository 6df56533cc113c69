//go:build !js

package firefox

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What Firefox needs for WebGPU where it is not yet on by itself; web/gpu/browser.js tells people the same.
const (
	WebGPU          = "dom.webgpu.enabled"
	IgnoreBlocklist = "gfx.webgpu.ignore-blocklist" // takes adapters that Firefox does not trust, software ones among them
)

// preferences: WebGPU on, no greeting, nothing kept from one run to the next, and no network of its own.
var preferences = map[string]any{
	WebGPU:          true,
	IgnoreBlocklist: true,

	"marionette.port": 0, // any that is free

	"app.normandy.enabled":                        false,
	"app.update.disabledForTesting":               true,
	"browser.aboutwelcome.enabled":                false,
	"browser.newtabpage.enabled":                  false,
	"browser.safebrowsing.downloads.enabled":      false,
	"browser.safebrowsing.malware.enabled":        false,
	"browser.safebrowsing.phishing.enabled":       false,
	"browser.search.update":                       false,
	"browser.sessionstore.resume_from_crash":      false,
	"browser.startup.homepage_override.mstone":    "ignore",
	"browser.startup.page":                        0,
	"browser.tabs.unloadOnLowMemory":              false,
	"datareporting.healthreport.uploadEnabled":    false,
	"datareporting.policy.dataSubmissionEnabled":  false,
	"dom.ipc.processPrelaunch.enabled":            false,
	"dom.max_script_run_time":                     0,
	"dom.push.connection.enabled":                 false,
	"extensions.getAddons.cache.enabled":          false,
	"extensions.systemAddon.update.enabled":       false,
	"extensions.update.enabled":                   false,
	"messaging-system.rsexperimentloader.enabled": false,
	"network.captive-portal-service.enabled":      false,
	"network.connectivity-service.enabled":        false,
	"network.dns.disablePrefetch":                 true,
	"network.proxy.type":                          0,
	"services.settings.server":                    "data:,",
	"termsofuse.bypassNotification":               true,
	"toolkit.cosmeticAnimations.enabled":          false,
	"toolkit.startup.max_resumed_crashes":         -1,
	"toolkit.telemetry.server":                    "data:,",
}

// writeProfile makes the folder of a profile with the preferences, some of them changed.
func writeProfile(dir string, changed map[string]any) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	all := maps.Clone(preferences)
	maps.Copy(all, changed)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, err := json.Marshal(all[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "user_pref(%q, %s);\n", name, value)
	}
	return os.WriteFile(filepath.Join(dir, "user.js"), []byte(text.String()), 0o600)
}
