//go:build !js

package main

import "net/http"

func sources() http.Handler { return http.NotFoundHandler() }
