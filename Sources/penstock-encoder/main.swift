print("penstock-encoder")
