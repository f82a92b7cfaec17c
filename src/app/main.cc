#include <exception>
#include <iostream>

#include "app/command_line.h"

int main(int argc, char** argv) {
  try {
    return hsmsigner::app::run(argc, argv);
  } catch (const hsmsigner::Error& error) {
    return hsmsigner::app::report(error);
  } catch (const std::exception& error) {
    std::cerr << "hsm-signer: unexpected: " << error.what() << '\n';
  } catch (...) {
    std::cerr << "hsm-signer: unexpected failure\n";
  }
  return hsmsigner::app::kExitFailure;
}
