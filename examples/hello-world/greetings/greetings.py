def greet(greeting, name):
    return f"{greeting} from {name}, with words from a layer."
