package ai

// HumanTool is the function by which the AI says that the customer wants a person.
const HumanTool = "request_human"
