import ArgumentParser

Penstock.main()
