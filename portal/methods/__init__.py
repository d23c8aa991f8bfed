"""Cards and bank accounts on file: what customers add, replace and remove, and what the office asks for."""
