package local

import (
	"encoding/json"
	"net/http"
)

// ServeHTTP answers requests of the Lambda API (restJson1).
func (f *Functions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", codeNotFound)
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": "Function not found"})
}
