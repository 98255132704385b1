// Command operator is a product as operators of clusters have it: what it does matters less than all that it is made of.
package main

import (
	"fmt"

	"github.com/gin-gonic/gin"
	"github.com/spf13/viper"
	"helm.sh/helm/v3/pkg/action"
)

func main() {
	fmt.Println(gin.Version, viper.New().AllKeys(), action.NewList(new(action.Configuration)).Limit)
}
