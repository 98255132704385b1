module product.example/operator

go 1.24.0

require (
	github.com/gin-gonic/gin v1.10.1
	github.com/spf13/viper v1.20.1
	helm.sh/helm/v3 v3.18.4
)
